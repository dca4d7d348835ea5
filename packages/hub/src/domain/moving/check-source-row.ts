import { Slug, SourceSettings } from '@sluice/protocol'
import { z } from 'zod'
import type { MovedRow } from '../../store/moving.ts'

const SealedSecrets = z.array(z.strictObject({ sealed: z.string(), createdMs: z.int(), untilMs: z.int().nullable() }))

/** Whether its secrets open is seen when they are used: that depends on the secret key of this hub. */
export function findSourceFault({
  key,
  settings,
  secrets,
}: Extract<MovedRow, { kind: 'source' }>['row']): string | undefined {
  if (!Slug.safeParse(key).success) return 'has a key that no source has'
  if (!SourceSettings.safeParse(toJson(settings)).success) return 'has settings that no source has'
  return SealedSecrets.safeParse(toJson(secrets)).success ? undefined : 'has secrets that no source has'
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
