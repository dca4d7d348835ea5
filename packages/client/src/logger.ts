import { redact, redactText } from './redact.ts'

type Log = (fields: Record<string, unknown>, message: string) => void

/** What the client logs through; pino and its like fit as they are. Keys and secrets are never logged. */
export type Logger = { readonly debug: Log; readonly warn: Log }

/** For `debug` without a logger, and for what must not be lost unheard. */
export const consoleLogger: Logger = {
  debug: (fields, message) => console.debug(`sluice: ${message}`, fields),
  warn: (fields, message) => console.warn(`sluice: ${message}`, fields),
}

/** @param secrets masked wherever they stand */
export function createRedactingLogger(logger: Logger, secrets: readonly string[] = []): Logger {
  const toLog =
    (level: keyof Logger): Log =>
    (fields, message) =>
      // What goes in as an object comes out as one.
      logger[level](redact(fields, { secrets }) as Record<string, unknown>, redactText(message, { secrets }))
  return { debug: toLog('debug'), warn: toLog('warn') }
}
