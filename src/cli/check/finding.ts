/** One kind of trouble that `holdfast check` tells of before it happens. */

export interface Finding {
  readonly level: "error" | "warning";
  /** As in `films.access.read`. */
  readonly place: string;
  readonly problem: string;
  readonly why: string;
  readonly mend: string;
}
