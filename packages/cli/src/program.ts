import { Command } from 'commander'
import { addApply } from './commands/apply.ts'
import { addBackup } from './commands/backup.ts'
import { addCompletions } from './commands/completions.ts'
import { addConnections } from './commands/connections.ts'
import { addConnectors } from './commands/connectors.ts'
import { addDeadLetters } from './commands/dead-letters.ts'
import { addDoctor } from './commands/doctor.ts'
import { addErase } from './commands/erase.ts'
import { addEvents } from './commands/events.ts'
import { addExport } from './commands/export.ts'
import { addImport } from './commands/import.ts'
import { addInboxes } from './commands/inboxes.ts'
import { addIntegrations } from './commands/integrations.ts'
import { addKeys } from './commands/keys.ts'
import { addOutbox } from './commands/outbox.ts'
import { addPoll } from './commands/poll.ts'
import { addQuarantine } from './commands/quarantine.ts'
import { addRestore } from './commands/restore.ts'
import { addSchedules } from './commands/schedules.ts'
import { addSend } from './commands/send.ts'
import { addSources } from './commands/sources.ts'
import { addSpending } from './commands/spending.ts'
import { addStart } from './commands/start.ts'
import { addTail } from './commands/tail.ts'
import { addTriggers } from './commands/triggers.ts'
import { addTypes } from './commands/types.ts'
import { addWebhooks } from './commands/webhooks.ts'
import { addWork } from './commands/work.ts'
import { addWorkspaces } from './commands/workspaces.ts'
import { version } from './version.ts'

/** All commands, each in a file of its own under commands/. */
export function createProgram(): Command {
  const program = new Command('sluice')
    .description('A self-hosted hub for events and integrations.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(add --help to see what is possible)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 cannot reach the hub, 4 refused, 5 partly done.',
    )
  for (const add of [
    addStart,
    addKeys,
    addWorkspaces,
    addSend,
    addPoll,
    addTail,
    addWork,
    addInboxes,
    addEvents,
    addDeadLetters,
    addTypes,
    addQuarantine,
    addErase,
    addOutbox,
    addIntegrations,
    addConnections,
    addConnectors,
    addTriggers,
    addSources,
    addWebhooks,
    addSchedules,
    addApply,
    addSpending,
    addExport,
    addImport,
    addBackup,
    addRestore,
    addDoctor,
    addCompletions,
  ]) {
    add(program)
  }
  return program
}
