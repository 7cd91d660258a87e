/** Waits before each attempt, in milliseconds; the last one repeats. */
export const RETRY_STEPS: readonly number[] = [0, 250, 500, 1_000, 2_000, 5_000];
/** The longest of them, by its place, while media is down and waits for signals: a second. */
export const URGENT_STEP = 3;

/**
 * The wait before attempt number `attempt` (0 is the first), with full jitter so that a room does not come back as one.
 * @param random uniform in [0, 1)
 */
export function retryDelay(attempt: number, random: number): number {
  const step = RETRY_STEPS[Math.min(attempt, RETRY_STEPS.length - 1)] ?? 0;
  return Math.round(step * random);
}
