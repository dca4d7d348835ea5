import { sealedColumns, splitColumn, type SealedKind, type SealedText, type SealedTexts } from '../sealed.ts'
import { rows, type Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Engine } from './writer-state.ts'

function toValue(name: string): string {
  const { column, path } = splitColumn(name)
  return path.length === 0 ? column : `json_extract(${column}, '$.${path.join('.')}')`
}

export function replaceSealed(
  { db, inboxes }: Engine,
  kind: SealedKind,
  { id, text, by }: SealedText & { readonly by: string },
): boolean {
  const names = sealedColumns[kind]
  const { column } = splitColumn(names.text)
  const statement = db.sql(
    `update ${kind} set ${column} = replace(${column}, ?2, ?1) where ${toValue(names.id)} = ?3 and ${toValue(names.text)} = ?2`,
  )
  const changed = Number(statement.run(by, text, id).changes) > 0
  // What the writer remembers would be written back.
  if (changed && kind === 'inbox')
    for (const inbox of inboxes.values())
      if (inbox.door?.sealed?.id === id) inbox.door = { ...inbox.door, sealed: { id, text: by } }
  return changed
}

export function createSealedTexts({ group, db }: { group: GroupCommit; db: Database }): SealedTexts {
  return {
    list: async (kind, { current, after, limit }) => {
      const [id, text] = [toValue(sealedColumns[kind].id), toValue(sealedColumns[kind].text)]
      const statement = db.sql(
        `select ${id} as id, ${text} as text from ${kind} where ${id} > ?1 and replace(${text}, ?2, '') like '%v1.%'
         order by ${id} limit ?3`,
      )
      return rows<SealedText>(statement, after, current, limit)
    },
    replace: (kind, change) => group.write('replaceSealed', kind, change),
  }
}
