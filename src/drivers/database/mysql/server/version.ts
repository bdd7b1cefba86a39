/** Which servers give the same answers as the other databases: what each release must have. */

/** The oldest version whose answers are known to be right. */
const versionMin: readonly [number, number] = [10, 11];

/** @throws with what to do where the server is not one that gives the same answers as the other databases */
export function checkVersion(version: string): void {
  const [, major, minor] = /^(?:5\.5\.5-)?(\d+)\.(\d+)/.exec(version) ?? [];
  if (!/mariadb/i.test(version))
    throw new Error(
      `the server is MySQL ${version}, which lacks what equal answers need (LIMIT in GROUP_CONCAT, INSERT … RETURNING): use MariaDB 10.11 or later`,
    );
  const isOld = Number(major) < versionMin[0] || (Number(major) === versionMin[0] && Number(minor) < versionMin[1]);
  if (isOld) throw new Error(`the server is MariaDB ${version}: use MariaDB ${versionMin.join(".")} or later`);
}
