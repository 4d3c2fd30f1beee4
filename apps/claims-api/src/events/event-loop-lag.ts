import { monitorEventLoopDelay } from 'node:perf_hooks';

const resolution = 10;
const window = 250;

/** How far this process lags behind its own timers: the mean of the last quarter of a second. */
export class EventLoopLag {
  private readonly histogram = monitorEventLoopDelay({ resolution });
  private readonly timer: NodeJS.Timeout;
  private last = 0;

  constructor() {
    this.histogram.enable();
    this.timer = setInterval(() => this.read(), window).unref();
  }

  get milliseconds(): number {
    return this.last;
  }

  close(): void {
    clearInterval(this.timer);
    this.histogram.disable();
  }

  private read(): void {
    const mean = this.histogram.mean / 1e6 - resolution;
    this.last = Number.isFinite(mean) ? Math.max(0, mean) : 0;
    this.histogram.reset();
  }
}
