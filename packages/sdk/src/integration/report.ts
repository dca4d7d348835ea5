/** Something about a file: where (JSON Pointer), and what. */
export type Note = { readonly pointer: string; readonly detail: string }

/** What was found while a configuration was read: all of it, not the first thing. */
export type Report = {
  /** mended in the copy that is used; the file stays as it is */
  readonly repairs: readonly Note[]
  readonly errors: readonly Note[]
}

export type Reporter = {
  /** Mended; with `strict` an error. */
  readonly repair: (pointer: string, detail: string) => void
  readonly error: (pointer: string, detail: string) => void
  readonly report: () => Report
}

export function createReporter({ strict }: { readonly strict: boolean }): Reporter {
  const repairs: Note[] = []
  const errors: Note[] = []
  return {
    repair: (pointer, detail) => void (strict ? errors : repairs).push({ pointer, detail }),
    error: (pointer, detail) => void errors.push({ pointer, detail }),
    report: () => ({ repairs, errors }),
  }
}

/** A name as a part of a JSON Pointer. */
export const toPointer = (...names: readonly (string | number)[]): string =>
  names.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

export type JsonObject = Record<string, unknown>

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
