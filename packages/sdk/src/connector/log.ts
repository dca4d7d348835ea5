import { toMessage } from './error.ts'

/** What a connector says. Secrets of its configuration are taken out. One line a milestone, never one a row. */
export type Log = {
  readonly debug: (message: string) => void
  readonly info: (message: string) => void
  readonly warning: (message: string) => void
  readonly error: (message: string, error?: unknown) => void
  readonly critical: (message: string, error?: unknown) => void
}

type LogLevel = keyof Log

export type Sink = (level: LogLevel, message: string) => void

/** @param secrets what never reaches `sink` */
export function createLog(sink: Sink, secrets: readonly string[]): Log {
  const clean = createCleaner(secrets)
  const plain = (level: LogLevel) => (message: string) => sink(level, clean(message))
  const withError = (level: LogLevel) => (message: string, error?: unknown) =>
    sink(level, clean(error === undefined ? message : `${message}: ${toMessage(error)}`))
  return {
    debug: plain('debug'),
    info: plain('info'),
    warning: plain('warning'),
    error: withError('error'),
    critical: withError('critical'),
  }
}

/** Takes secrets out of texts, also as they stand in addresses. */
export function createCleaner(secrets: readonly string[]): (text: string) => string {
  const forms = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)])
  // The longest first: one may hold another.
  const ordered = [...new Set(forms)].toSorted((left, right) => right.length - left.length)
  return (text) => ordered.reduce((kept, secret) => kept.replaceAll(secret, '[secret]'), text)
}
