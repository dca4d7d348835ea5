import { sealedColumns, type SealedText, type SealedTexts } from '../sealed.ts'
import type { Connection } from './connections.ts'

export function createSealedTexts({ query }: Connection): SealedTexts {
  return {
    list: (kind, { current, after, limit }) => {
      const { id, text } = sealedColumns[kind]
      return query<SealedText>(
        `select ${id} as id, ${text} as text from ${kind}
         where ${id} collate "C" > $1 and replace(${text}, $2, '') like '%v1.%' order by ${id} collate "C" limit $3`,
        [after, current, limit],
      )
    },
    replace: async (kind, { id, text, by }) => {
      const columns = sealedColumns[kind]
      const changed = await query(
        `update ${kind} set ${columns.text} = $1 where ${columns.id} = $2 and ${columns.text} = $3 returning 1 as changed`,
        [by, id, text],
      )
      return changed.length > 0
    },
  }
}
