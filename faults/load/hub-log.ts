type Line = { readonly err?: { readonly type: string; readonly message: string; readonly stack: string } }

// Enough of a stack to find the place.
const keptLines = 6
const keptCauses = 3

/** The last few failures that a hub has logged, its own faults before those that it has a code for. */
export function toCauses(log: string): string {
  const errors = log.trimEnd().split('\n').flatMap(parseError)
  const own = errors.filter(({ type }) => type !== 'HubError')
  const causes = (own.length > 0 ? own : errors).slice(-keptCauses)
  return causes.map(({ stack }) => stack.split('\n').slice(0, keptLines).join('\n')).join('\n') || log.slice(-1000)
}

function parseError(line: string): NonNullable<Line['err']>[] {
  try {
    const { err } = JSON.parse(line) as Line // as pino writes it
    return err === undefined ? [] : [err]
  } catch {
    // The first line may be cut off, and Node itself writes plain text.
    return []
  }
}
