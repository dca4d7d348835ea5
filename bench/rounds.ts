import type { Context } from './row.ts'

type Sides<Measured> = { readonly [Name in keyof Measured]: (round: number) => Promise<Measured[Name]> }
type Rounds<Measured> = { [Name in keyof Measured]: Measured[Name][] }

/**
 * Runs every side once to warm up and then `rounds` times, in turn and in changing order, so that a machine that slows
 * down or speeds up meets all sides alike. Round 0 is the warm-up; its values are thrown away.
 */
export async function alternate<Measured extends object>(
  { rounds, say }: Pick<Context, 'rounds' | 'say'>,
  sides: Sides<Measured>,
): Promise<Rounds<Measured>> {
  const names = Object.keys(sides) as (keyof Measured)[] // the keys of that record
  const measured = Object.fromEntries(names.map((name) => [name, []])) as unknown as Rounds<Measured> // as above
  for (let round = 0; round <= rounds; round += 1) {
    say(round === 0 ? 'warm-up' : `round ${round} of ${rounds}`)
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const value = await sides[name](round)
      if (round > 0) measured[name].push(value)
    }
  }
  return measured
}

/** Calls `operation` from so many loops until the time is over; answers calls a second. Every call that began is awaited. */
export async function runLoops(
  { seconds, concurrency }: { seconds: number; concurrency: number },
  operation: () => Promise<void>,
): Promise<number> {
  const started = performance.now()
  const end = started + seconds * 1000
  let calls = 0
  const loop = async (): Promise<void> => {
    while (performance.now() < end) {
      await operation()
      calls += 1
    }
  }
  await Promise.all(Array.from({ length: concurrency }, loop))
  return (calls / (performance.now() - started)) * 1000
}
