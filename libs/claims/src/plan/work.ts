/** About 0.1 s at the worst. */
const workOfClaim = 2_000_000;
/** About 0.3 s at the worst: every other sign-in waits meanwhile. */
const workOfAnswer = 6_000_000;

/** Values of a source that would take too long to work on. Carries no value. */
export class TooMuchWork extends Error {
  constructor() {
    super('would take too long');
  }
}

/**
 * How much may still be computed. The unit is what a regular expression needs for one character and one instruction of its program,
 * at the worst 50 ns. Whoever works on values of a source takes what it will cost before doing it.
 */
export class Work {
  private constructor(
    private left: number,
    private readonly whole?: Work,
  ) {}

  /** For one answer, all its claims together. */
  static ofAnswer(): Work {
    return new Work(workOfAnswer);
  }

  /** For this many answers at the worst, such as those of all tests beside a mapping. */
  static ofAnswers(count: number): Work {
    return new Work(count * workOfAnswer);
  }

  /** One answer out of several. */
  answer(): Work {
    return new Work(workOfAnswer, this);
  }

  /** One claim, its condition and transforms together: none can use up the answer alone. */
  claim(): Work {
    return new Work(workOfClaim, this);
  }

  /** What is refused costs nothing. @throws TooMuchWork */
  take(units: number): void {
    if (units > this.left) throw new TooMuchWork();
    this.whole?.take(units);
    this.left -= units;
  }

  /** Reading or copying a text once. @throws TooMuchWork */
  read(characters: number): void {
    this.take(1 + characters / 8);
  }

  /** Searching a text for a part: long parts can make it slower than reading. @throws TooMuchWork */
  search(characters: number, part: number): void {
    this.read(characters * (1 + part / 256));
  }
}
