import { HubError, type SourceExample } from '@sluice/protocol'
import { createExample } from '@sluice/protocol/webhooks'
import type { Context, Workspace } from '../context.ts'
import { openSecrets } from './secrets.ts'
import { addressOf, requireSource, settingsOf } from './sources.ts'

/**
 * A request as the sender of a source would make it, signed with its newest secret.
 *
 * @throws HubError `conflict` where the hub cannot sign, or must not tell how: a public key, or a password
 */
export async function createSourceExample(
  context: Context,
  workspace: Workspace,
  { key, publicUrl = '' }: { readonly key: string; readonly publicUrl: string | undefined },
): Promise<SourceExample> {
  const { store, sealing, newId } = context
  const row = await requireSource(context, workspace, key)
  const settings = settingsOf(row)
  const { scheme } = settings
  const nowMs = store.nowMs()
  const secret = openSecrets(sealing, row, nowMs).current.find((text) => !text.startsWith('whpk_'))
  if ((secret === undefined && scheme !== 'none') || scheme === 'basic')
    throw new HubError('conflict', refusals[scheme === 'basic' ? 'basic' : 'public'])
  const address = addressOf(workspace, key)
  const url = `${publicUrl.replace(/\/$/, '')}${address}`
  return { address, ...(await createExample(settings, { secret, id: newId(), nowMs, target: address, url })) }
}

const refusals = {
  basic:
    'the request would show the password of the source; sign it yourself: sluice sources test KEY --secret user:password',
  public: 'this hub has only the public key of the sender; sign it yourself: sluice sources test KEY --secret whsk_…',
} as const
