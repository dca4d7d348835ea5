import { HubError } from '@sluice/protocol'
import type { SealedSourceSecret, SourceRow } from '../../store/sources.ts'
import type { Sealing } from '../sealing.ts'

const placeOf = (id: string): string => `source/${id}`

/** What count counts, and what a replaced secret was, so that a sender that still uses it can be told. */
export type OpenedSecrets = { readonly current: readonly string[]; readonly earlier: readonly string[] }

const listSealed = ({ secrets }: Pick<SourceRow, 'secrets'>): SealedSourceSecret[] =>
  JSON.parse(secrets) as SealedSourceSecret[] // written by this file

const counts = ({ untilMs }: SealedSourceSecret, nowMs: number): boolean => untilMs === null || untilMs > nowMs

/** Those that count now. */
export function listCurrent(row: Pick<SourceRow, 'secrets'>, nowMs: number): SealedSourceSecret[] {
  return listSealed(row).filter((secret) => counts(secret, nowMs))
}

export type NewSecrets = {
  readonly id: string
  readonly texts: readonly string[]
  readonly nowMs: number
}

export function sealSecrets(sealing: Sealing, { id, texts, nowMs }: NewSecrets): SealedSourceSecret[] {
  return texts.map((text) => ({ sealed: sealing.seal(placeOf(id), text), createdMs: nowMs, untilMs: null }))
}

/** Replaced secrets that are remembered, so that a sender which still signs with one is told apart from a stranger. */
const earlierKept = 3

/** The new ones, those of before for the time of the overlap, and a few that have ended. */
export function replaceSecrets(
  row: Pick<SourceRow, 'secrets'>,
  fresh: readonly SealedSourceSecret[],
  { nowMs, overlapSeconds }: { readonly nowMs: number; readonly overlapSeconds: number },
): SealedSourceSecret[] {
  const endMs = nowMs + overlapSeconds * 1000
  const before = listSealed(row)
  const current = before
    .filter((secret) => counts(secret, nowMs))
    .map((secret) => ({ ...secret, untilMs: Math.min(secret.untilMs ?? endMs, endMs) }))
  const earlier = before.filter((secret) => !counts(secret, nowMs))
  const ended = [...current.filter((secret) => !counts(secret, nowMs)), ...earlier].slice(0, earlierKept)
  return [...fresh, ...current.filter((secret) => counts(secret, nowMs)), ...ended]
}

/**
 * @throws HubError `conflict` if those that count were sealed with a secret key that this hub does not have
 */
export function openSecrets(sealing: Sealing, row: SourceRow, nowMs: number): OpenedSecrets {
  const opened = listSealed(row).map((secret) => ({ secret, text: sealing.open(placeOf(row.id), secret.sealed) }))
  const texts = (wanted: boolean): string[] =>
    opened.flatMap(({ secret, text }) => (text !== undefined && counts(secret, nowMs) === wanted ? [text] : []))
  const current = texts(true)
  if (current.length === 0 && listCurrent(row, nowMs).length > 0)
    throw new HubError(
      'conflict',
      `the secrets of source "${row.key}" were sealed with another secret key; add that one to SLUICE_SECRET_KEY, or set the secrets anew`,
    )
  return { current, earlier: texts(false) }
}
