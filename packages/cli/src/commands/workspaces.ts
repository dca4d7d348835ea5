import type { PutWorkspace, UnknownEventTypes } from '@sluice/client/admin'
import { Option, type Command } from 'commander'
import { confirm } from '../confirm.ts'
import { wholeNumber, withPages, type PageOptions } from '../options.ts'
import { createOutput, toLines, toTable } from '../output.ts'
import { onTarget, withTarget, type TargetOptions } from '../target.ts'

type CreateOptions = TargetOptions & {
  readonly unknownEventTypes?: UnknownEventTypes
  readonly eventsPerDay?: number | null
  readonly maxInboxes?: number | null
}

function toQuota(text: string): number | null {
  return text === 'none' ? null : wholeNumber(0, 1_000_000_000)(text)
}

function toSettings({ unknownEventTypes: unknown, eventsPerDay, maxInboxes }: CreateOptions): PutWorkspace {
  const quotas = {
    ...(eventsPerDay !== undefined && { events_per_day: eventsPerDay }),
    ...(maxInboxes !== undefined && { inboxes: maxInboxes }),
  }
  return {
    ...(unknown !== undefined && { unknown_event_types: unknown }),
    ...(Object.keys(quotas).length > 0 && { quotas }),
  }
}

export function addWorkspaces(program: Command): void {
  const workspaces = program.command('workspaces').summary('tenants; nothing crosses from one to another')
  withPages(withTarget(workspaces.command('list')))
    .description('All workspaces.')
    .action(async (options: TargetOptions & PageOptions) => {
      const page = await onTarget(options, (target) =>
        target.listWorkspaces({ limit: options.limit, cursor: options.cursor }),
      )
      const rows = page.workspaces.map(({ key, events, inboxes, created_at: createdAt }) => [
        key,
        events,
        inboxes,
        createdAt,
      ])
      createOutput(options).page(page, toTable(['WORKSPACE', 'EVENTS', 'INBOXES', 'CREATED'], rows))
    })
  withTarget(workspaces.command('create'))
    .description('Makes a workspace, or sees to it that it is there.')
    .argument('<key>', 'a-z 0-9 . _ -')
    .addOption(
      new Option('--unknown-event-types <what>', 'events whose type is not known; what is left out stays').choices([
        'allow',
        'warn',
        'refuse',
      ]),
    )
    .option('--events-per-day <n>', 'how many it may publish, or none for no limit', toQuota)
    .option('--max-inboxes <n>', 'how many it may have, or none for no limit', toQuota)
    .action(async (key: string, options: CreateOptions) => {
      const settings = toSettings(options)
      const workspace = await onTarget(options, (target) => target.putWorkspace(key, settings), { make: true })
      createOutput(options).result(workspace, toLines(workspace))
    })
  withTarget(workspaces.command('delete'))
    .description('Removes a workspace with its events, inboxes and keys.')
    .argument('<key>')
    .option('--yes', 'do not ask')
    .action(async (key: string, options: TargetOptions & { yes?: boolean }) => {
      await confirm(`Delete workspace ${key} with all its events, inboxes and keys?`, options.yes)
      await onTarget(options, (target) => target.deleteWorkspace(key), { exclusive: true })
      createOutput(options).result({ key, deleted: true }, `Workspace ${key} is deleted.`)
    })
}
