import { sealedColumns, splitColumn, type SealedText, type SealedTexts } from '../sealed.ts'
import type { Connection } from './connections.ts'

function toValue(name: string): string {
  const { column, path } = splitColumn(name)
  return path.length === 0 ? column : `(${column}::jsonb #>> '{${path.join(',')}}')`
}

export function createSealedTexts({ query }: Connection): SealedTexts {
  return {
    list: (kind, { current, after, limit }) => {
      const [id, text] = [toValue(sealedColumns[kind].id), toValue(sealedColumns[kind].text)]
      return query<SealedText>(
        `select ${id} as id, ${text} as text from ${kind}
         where ${id} collate "C" > $1 and replace(${text}, $2, '') like '%v1.%' order by ${id} collate "C" limit $3`,
        [after, current, limit],
      )
    },
    replace: async (kind, { id, text, by }) => {
      const names = sealedColumns[kind]
      const { column } = splitColumn(names.text)
      const changed = await query(
        `update ${kind} set ${column} = replace(${column}, $3, $1)
         where ${toValue(names.id)} = $2 and ${toValue(names.text)} = $3 returning 1 as changed`,
        [by, id, text],
      )
      return changed.length > 0
    },
  }
}
