import { setTimeout as pause } from 'node:timers/promises'

const everyMs = 10

/** For tests: asks until the answer is good. One that never is runs into the time limit of its test, with the last answer said. */
export async function eventually<Value>(
  read: () => Value | Promise<Value>,
  isGood: (value: Value) => boolean,
  withinMs = 30_000,
): Promise<Value> {
  const end = performance.now() + withinMs
  for (;;) {
    const value = await read()
    if (isGood(value)) return value
    if (performance.now() > end) throw new Error(`it never came to be; at last it was ${JSON.stringify(value)}`)
    await pause(everyMs)
  }
}
