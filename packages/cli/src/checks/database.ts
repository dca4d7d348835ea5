import type { Check } from './check.ts'
import { checkOpens } from './store.ts'

/** Opens it as a node would, which makes the tables of an empty database. */
export function checkDatabase(place: { readonly data: string; readonly databaseUrl: string }): Promise<Check> {
  return checkOpens(
    async () => (await import('@sluice/hub')).openLocalAdmin({ ...place, exclusive: false }),
    'correct DATABASE_URL, or start the server; it must be Postgres 15 or newer, and the user must own the database',
  )
}
