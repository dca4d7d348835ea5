/** Where a command writes: results to stdout, words about them to stderr. With `--json`, stdout holds JSON and nothing else. */
export type Output = {
  readonly isJson: boolean
  /** The one result: as JSON, or as the words for people. */
  result(value: unknown, words: string): void
  /** One page of a list; on a terminal, too, it says that there is more. */
  page(page: PageLike, words: string): void
  /** One of many results, as they come: a line of JSON each. */
  item(value: unknown, words: string): void
  /** For people, on stderr. */
  note(words: string): void
}

type PageLike = { readonly pagination: { readonly has_more: boolean; readonly next_cursor: string | null } }

export function createOutput(options: { readonly json?: boolean | undefined }): Output {
  const isJson = options.json === true
  const print = (value: unknown, words: string): void => {
    if (isJson) process.stdout.write(`${JSON.stringify(value)}\n`)
    else if (words !== '') process.stdout.write(`${words}\n`)
  }
  const note = (words: string): void => void process.stderr.write(`${words}\n`)
  return {
    isJson,
    result: print,
    page: (page, words) => {
      print(page, words)
      const { has_more: hasMore, next_cursor: cursor } = page.pagination
      if (hasMore && !isJson) note(`There is more: --cursor ${cursor ?? ''}`)
    },
    item: print,
    note,
  }
}

/** Columns for people, as wide as their widest cell. Control characters from events do not reach the terminal. */
export function toTable(
  head: readonly string[],
  rows: readonly (readonly (string | number | null | undefined)[])[],
): string {
  const cells = [head, ...rows].map((row) =>
    row.map((cell) => printable(cell === null || cell === undefined ? '-' : String(cell))),
  )
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** `name: value` lines for one thing. */
export function toLines(thing: Readonly<Record<string, unknown>>): string {
  const width = Math.max(...Object.keys(thing).map((name) => name.length))
  return Object.entries(thing)
    .map(
      ([name, value]) =>
        `${name.padEnd(width)}  ${printable(typeof value === 'string' ? value : JSON.stringify(value))}`,
    )
    .join('\n')
}

/** Text that cannot move the cursor, ring the bell or change colours, whatever an event holds. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

export function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}
