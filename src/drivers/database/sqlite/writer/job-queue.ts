/** The jobs that wait for the writer, first come first served; taking one costs the same however many wait. */
export interface JobQueue<T> {
  push(job: T): void;
  /** Puts jobs before all others, in their order. */
  unshift(jobs: readonly T[]): void;
  peek(): T | undefined;
  shift(): T | undefined;
  remove(isUnwanted: (job: T) => boolean): void;
  size(): number;
}

const compactAfter = 1024;

export function createJobQueue<T>(): JobQueue<T> {
  let items: T[] = [];
  let head = 0;
  return {
    push: (job) => void items.push(job),
    unshift(jobs) {
      items = [...jobs, ...items.slice(head)];
      head = 0;
    },
    peek: () => items[head],
    shift() {
      const job = items[head];
      if (job === undefined) return undefined;
      head++;
      if (head === items.length || head >= compactAfter) {
        items = items.slice(head);
        head = 0;
      }
      return job;
    },
    remove(isUnwanted) {
      items = items.slice(head).filter((job) => !isUnwanted(job));
      head = 0;
    },
    size: () => items.length - head,
  };
}
