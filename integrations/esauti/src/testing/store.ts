/** What an instance keeps: items of each resource, by id, as they are printed. */
export type Row = { readonly id: number; readonly [member: string]: unknown }

export type Store = {
  rows(path: string): Row[]
  find(path: string, id: string): Row | undefined
  add(path: string, data: object): Row
  put(path: string, row: Row): Row
  remove(path: string, id: number): void
}

export function createStore(): Store {
  const tables = new Map<string, Map<number, Row>>()
  let lastId = 0
  const open = (path: string): Map<number, Row> => {
    const found = tables.get(path) ?? new Map<number, Row>()
    tables.set(path, found)
    return found
  }
  return {
    rows: (path) => [...open(path).values()],
    find: (path, id) => open(path).get(Number(id)),
    add: (path, data) => {
      lastId += 1
      const row = { ...data, id: lastId }
      open(path).set(lastId, row)
      return row
    },
    put: (path, row) => {
      open(path).set(row.id, row)
      return row
    },
    remove: (path, id) => void open(path).delete(id),
  }
}

/** In the way of the service: cut by search and conditions, ordered, and never more than it allows on one page. */
export function select(rows: readonly Row[], query: URLSearchParams, pageMax: number): { total: number; page: Row[] } {
  const search = query.get('search') ?? ''
  const ids = /^ids:([\d,]+)$/.exec(search)?.[1]?.split(',')
  const wanted = (row: Row): boolean => {
    if (query.get('published') === '1' && row['isPublished'] === false) return false
    if (!where(query).every(([col, value]) => String(read(row, col)) === value)) return false
    if (ids) return ids.includes(String(row.id))
    return JSON.stringify(row).toLowerCase().includes(search.replace(/^\w+:/, '').toLowerCase())
  }
  const column = (query.get('orderBy') || 'id').replace(/^\w+\./, '')
  const sign = query.get('orderByDir')?.toLowerCase() === 'desc' ? -1 : 1
  const found = rows.filter(wanted).toSorted((left, right) => sign * compare(read(left, column), read(right, column)))
  const start = Number(query.get('start') ?? 0)
  return { total: found.length, page: found.slice(start, start + Math.min(Number(query.get('limit') ?? 30), pageMax)) }
}

/** Only `eq`, which is what the tests ask for. */
function where(query: URLSearchParams): [col: string, value: string][] {
  const columns = [...query].filter(([name]) => /^where\[\d+\]\[col\]$/.test(name))
  return columns.map(([name, col]) => [col, query.get(name.replace('[col]', '[val]')) ?? ''])
}

/** A member, or a field of a contact. */
function read(row: Row, column: string): unknown {
  if (column in row) return row[column]
  const { all } = (row['fields'] ?? {}) as { all?: Record<string, unknown> } // written by to-row.ts
  return all?.[column]
}

function compare(left: unknown, right: unknown): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  return toText(left).localeCompare(toText(right))
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
