/** Runs tasks one after the other in the order given. A failing task is reported and does not stop the next. */
export class SerialQueue {
  private tail: Promise<void> = Promise.resolve();

  constructor(private readonly report: (error: unknown) => void) {}

  push(task: () => Promise<void> | void): void {
    this.tail = this.tail.then(task).catch(this.report);
  }
}
