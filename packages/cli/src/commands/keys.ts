import type { Key, KeyStatus, NewKey, PatchKey, Role, RotatedKey } from '@sluice/protocol'
import { Option, type Command } from 'commander'
import { usage } from '../exit.ts'
import { several, toFutureTime, wholeNumber, withPages, type PageOptions } from '../options.ts'
import { createOutput, toLines, toTable } from '../output.ts'
import { onTarget, toPlace, withTarget, type TargetOptions } from '../target.ts'

type SettingsOptions = TargetOptions & {
  readonly userId?: string
  readonly userEmail?: string
  readonly role?: Role
  readonly rateLimit?: number | 'none'
  readonly allow?: readonly string[]
  readonly allowAll?: boolean
  readonly allowAction?: readonly string[]
  readonly allowAllActions?: boolean
  readonly expires?: string
  readonly requireHmac?: boolean
}

export function addKeys(program: Command): void {
  const keys = program.command('keys').summary('API keys: who may do what')
  addCreate(keys)
  addList(keys)
  addUpdate(keys)
  addStatus(keys)
}

function addCreate(keys: Command): void {
  withSettings(withTarget(keys.command('create')))
    .description('Makes a key and shows it, this once.')
    .option('--hmac', 'with a secret to sign requests with, shown on a line of its own')
    .option('--require-hmac', 'refuse its requests unless they are signed; takes --hmac')
    .requiredOption('--user-id <id>', 'whose key it is')
    .option('--workspace <key>', 'where it belongs (default: default, or that of --key)')
    .action(async (options: SettingsOptions & { userId: string; workspace?: string; hmac?: boolean }) => {
      const { userId, workspace, hmac, requireHmac } = options
      if (requireHmac && !hmac) throw usage('--require-hmac takes --hmac: without a secret nothing can be signed')
      const wanted: NewKey = {
        ...toSettings(options),
        user_id: userId,
        ...(workspace !== undefined && { workspace }),
        ...(hmac && { hmac }),
      }
      showSecret(options, await onTarget(options, (target) => target.createKey(wanted), { make: true }))
    })
  withTarget(keys.command('rotate'))
    .description('A new secret under the same id, shown this once. The old one stops at once, or after --overlap.')
    .argument('<key-id>')
    .option('--overlap <seconds>', 'how long the old secret still works', wholeNumber(0, 30 * 86_400), 0)
    .option('--hmac', 'the secret that signs requests, instead of the API key; makes the first one too')
    .action(async (keyId: string, options: TargetOptions & { overlap: number; hmac?: boolean }) => {
      const body = { overlap_seconds: options.overlap, ...(options.hmac && { hmac: true }) }
      showSecret(options, await onTarget(options, (target) => target.rotateKey(keyId, body)))
    })
}

function addList(keys: Command): void {
  withPages(withTarget(keys.command('list')))
    .description('The keys of a workspace, without their secrets.')
    .addOption(new Option('--status <status>', 'only these').choices(['active', 'inactive', 'revoked']))
    .option('--workspace <key>', 'with --data: of this workspace (default: default)')
    .action(async (options: TargetOptions & PageOptions & { status?: KeyStatus; workspace?: string }) => {
      const { status, limit, cursor, workspace } = options
      if (workspace !== undefined && toPlace(options).kind === 'hub') {
        throw usage('over HTTP the keys of the workspace of --key are listed; leave --workspace out')
      }
      const query = { status, limit, cursor, workspace }
      const page = await onTarget(options, (target) => target.listKeys(query))
      createOutput(options).page(page, page.keys.length === 0 ? 'There are none.' : toKeyTable(page.keys))
    })
}

function addUpdate(keys: Command): void {
  withSettings(withTarget(keys.command('update')))
    .description('Changes a key. It is felt within a second.')
    .argument('<key-id>')
    .option('--user-id <id>', 'whose key it is')
    .option('--allow-all', 'all event types again')
    .option('--allow-all-actions', 'all actions again')
    .option('--require-hmac', 'refuse its requests unless they are signed')
    .option('--no-require-hmac', 'take unsigned requests too')
    .action(async (keyId: string, options: SettingsOptions) => {
      const changes: PatchKey = {
        ...toSettings(options),
        ...(options.userId !== undefined && { user_id: options.userId }),
      }
      if (options.allowAll) changes.allowed_event_types = null
      if (options.allowAllActions) changes.allowed_actions = null
      if (Object.keys(changes).length === 0)
        throw usage('say what to change, as: sluice keys update KEY_ID --role viewer')
      show(options, await onTarget(options, (target) => target.patchKey(keyId, changes)))
    })
}

function addStatus(keys: Command): void {
  const set = (status: 'active' | 'inactive') => async (keyId: string, options: TargetOptions) =>
    show(options, await onTarget(options, (target) => target.patchKey(keyId, { status })))
  withTarget(keys.command('deactivate'))
    .description('Refuses the key until it is activated again.')
    .argument('<key-id>')
    .action(set('inactive'))
  withTarget(keys.command('activate')).description('Takes the key again.').argument('<key-id>').action(set('active'))
  withTarget(keys.command('revoke'))
    .description('Refuses the key for good.')
    .argument('<key-id>')
    .action(async (keyId: string, options: TargetOptions) => {
      await onTarget(options, (target) => target.revokeKey(keyId))
      createOutput(options).result({ key_id: keyId, status: 'revoked' }, `Key ${keyId} is revoked.`)
    })
}

function withSettings(command: Command): Command {
  return command
    .option('--user-email <email>', 'how to reach them')
    .addOption(
      new Option(
        '--role <role>',
        'admin: all; creator (default): publish, consume, read; publisher; consumer; viewer',
      ).choices(['admin', 'creator', 'publisher', 'consumer', 'viewer']),
    )
    .option('--rate-limit <n>', 'requests a minute; none for no limit', orNone(wholeNumber(1, 10_000_000)))
    .option('--allow <glob>', 'event types that it may publish, as order.*; may be repeated', several)
    .option('--allow-action <glob>', 'actions of integrations that it may run, as slack.*; may be repeated', several)
    .option('--expires <time>', 'a time, or a span from now as 30d; none for never', orNone(toFutureTime))
}

/** Not null: commander takes that for an empty text. */
const orNone =
  <Value>(parse: (text: string) => Value) =>
  (text: string): Value | 'none' =>
    text === 'none' ? text : parse(text)

function toSettings({
  userEmail,
  role,
  rateLimit,
  allow,
  allowAction,
  expires,
  requireHmac,
}: SettingsOptions): PatchKey {
  return {
    ...(userEmail !== undefined && { user_email: userEmail }),
    ...(role && { role }),
    ...(rateLimit !== undefined && { rate_limit: rateLimit === 'none' ? null : rateLimit }),
    ...(allow && { allowed_event_types: [...allow] }),
    ...(allowAction && { allowed_actions: [...allowAction] }),
    ...(expires !== undefined && { expires_at: expires === 'none' ? null : expires }),
    ...(requireHmac !== undefined && { require_hmac: requireHmac }),
  }
}

function show(options: TargetOptions, key: Key): void {
  createOutput(options).result(key, toLines(key))
}

function showSecret(options: TargetOptions, key: RotatedKey): void {
  const output = createOutput(options)
  const secrets = [key.api_key, key.hmac_secret].filter((secret) => secret !== undefined)
  output.result(key, secrets.join('\n'))
  if (output.isJson) return
  const signs = key.hmac_secret === undefined ? '' : ' Requests are signed with sls_….'
  output.note(`Key ${key.key_id} (${key.role}, workspace ${key.workspace}). It is shown this once; keep it.${signs}`)
}

function toKeyTable(keys: readonly Key[]): string {
  return toTable(
    ['KEY ID', 'USER', 'ROLE', 'STATUS', 'LIMIT', 'EXPIRES', 'LAST USED'],
    keys.map((key) => [
      key.key_id,
      key.user_id,
      key.role,
      key.status,
      key.rate_limit,
      key.expires_at,
      key.last_used_at,
    ]),
  )
}
