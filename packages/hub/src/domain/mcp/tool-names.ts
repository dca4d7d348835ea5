import { createHash } from 'node:crypto'
import type { Installed } from '../../runner/installed.ts'

/** An action of an installed integration. */
export type NamedAction = {
  readonly integration: Installed
  readonly action: string
  readonly config: Installed['config']['actions'][string]
  /** `integration.action`, as in `allowed_actions` */
  readonly id: string
}

/** Names of the hub's own tools. */
export const ownNames = { publish: 'publish_event', search: 'search_actions', run: 'run_action' } as const

/** MCP allows 128; models that call tools allow 64, and no dots. */
const maxLength = 64
const digestLength = 8

/**
 * The name of each action as a tool: `integration_action`. Those that would be too long or the same as another get a digest of
 * their full name at the end, so that they stay the same when integrations come and go beside them.
 */
export function nameActions(installed: ReadonlyMap<string, Installed>): ReadonlyMap<string, NamedAction> {
  const actions = [...installed.values()].flatMap((integration) =>
    Object.entries(integration.config.actions).map(([action, config]): NamedAction => ({
      integration,
      action,
      config,
      id: `${integration.name}.${action}`,
    })),
  )
  const taken: ReadonlySet<string> = new Set(Object.values(ownNames))
  const named = new Map<string, NamedAction>()
  for (const [name, same] of Map.groupBy(actions, ({ id }) => id.replaceAll(/[^A-Za-z0-9_-]/g, '_'))) {
    const isClear = same.length === 1 && name.length <= maxLength && !taken.has(name)
    for (const one of same) named.set(isClear ? name : `${cut(name)}_${toDigest(one.id)}`, one)
  }
  return named
}

const cut = (name: string): string => name.slice(0, maxLength - digestLength - 1)

const toDigest = (id: string): string => createHash('sha256').update(id).digest('hex').slice(0, digestLength)
