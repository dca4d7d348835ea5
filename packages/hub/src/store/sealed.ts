/** Texts with sealed secrets in them, whoever they belong to: all that a change of the secret key has to reach. */
export type SealedTexts = {
  /** Those that hold a secret whose sealed text does not begin with `current`, after an id, by id. */
  list(kind: SealedKind, page: { current: string; after: string; limit: number }): Promise<SealedText[]>
  /** Answers false if it has become another one since. */
  replace(kind: SealedKind, change: SealedText & { readonly by: string }): Promise<boolean>
}

export type SealedText = { readonly id: string; readonly text: string }

/**
 * Where they are: columns, or members of what a column holds as JSON. What is sealed for a short time only is left out: it has run
 * out before the old key is dropped.
 */
export const sealedColumns = {
  connection: { id: 'id', text: 'sealed' },
  oauth_client: { id: 'id', text: 'sealed' },
  api_key: { id: 'key_id', text: 'hmac' },
  source: { id: 'id', text: 'secrets' },
  inbox: { id: 'door.sealed.id', text: 'door.sealed.text' },
} as const satisfies Readonly<Record<string, { readonly id: string; readonly text: string }>>

export type SealedKind = keyof typeof sealedColumns

/** The column, and the way to a member of its JSON. */
export function splitColumn(column: string): { readonly column: string; readonly path: readonly string[] } {
  const [name = column, ...path] = column.split('.')
  return { column: name, path }
}

export const sealedKinds = Object.keys(sealedColumns) as readonly SealedKind[] // its own keys
