type Log = (fields: Record<string, unknown>, message: string) => void

/** What the client logs through; pino and its like fit as they are. Payloads and keys are never logged. */
export type Logger = { readonly debug: Log; readonly warn: Log }
