import { sealedColumns, type SealedKind, type SealedText, type SealedTexts } from '../sealed.ts'
import { rows, type Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Engine } from './writer-state.ts'

export function replaceSealed(
  { db }: Engine,
  kind: SealedKind,
  { id, text, by }: SealedText & { readonly by: string },
): boolean {
  const columns = sealedColumns[kind]
  const statement = db.sql(`update ${kind} set ${columns.text} = ? where ${columns.id} = ? and ${columns.text} = ?`)
  return Number(statement.run(by, id, text).changes) > 0
}

export function createSealedTexts({ group, db }: { group: GroupCommit; db: Database }): SealedTexts {
  return {
    list: async (kind, { current, after, limit }) => {
      const { id, text } = sealedColumns[kind]
      const statement = db.sql(
        `select ${id} as id, ${text} as text from ${kind} where ${id} > ?1 and replace(${text}, ?2, '') like '%v1.%'
         order by ${id} limit ?3`,
      )
      return rows<SealedText>(statement, after, current, limit)
    },
    replace: (kind, change) => group.write('replaceSealed', kind, change),
  }
}
