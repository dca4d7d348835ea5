import type { Admin } from '@sluice/client/admin'
import type { Command } from 'commander'
import { makePlan, type Step } from '../apply/plan.ts'
import { readFile } from '../apply/read-file.ts'
import { confirm } from '../confirm.ts'
import { CommandError, exitCodes, toFailure } from '../exit.ts'
import { openAdmin } from '../hub.ts'
import { withHub, type HubOptions } from '../options.ts'
import { createOutput, toTable, type Output } from '../output.ts'

type Options = HubOptions & { readonly dryRun?: boolean; readonly yes?: boolean }
type Done = { readonly step: Step; readonly error?: string }

export function addApply(program: Command): void {
  withHub(program.command('apply'))
    .summary('make the hub as a file says')
    .description(
      'Makes and changes inboxes, event types, triggers and schedules as a YAML file says. It shows the plan first, and removes nothing.',
    )
    .argument('<file>', 'YAML or JSON; - for stdin')
    .option('--dry-run', 'only show the plan')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExample of a file:\n  inboxes:\n    crm: { filter: { event_types: [order.*] }, max_attempts: 5 }\n  schedules:\n    nightly: { cron: "0 3 * * *", event: { event_type: report.due, payload: {} } }',
    )
    .action(async (file: string, options: Options) => {
      const admin = openAdmin(options)
      const output = createOutput(options)
      const steps = await makePlan(admin, readFile(file, process.env))
      const todo = steps.filter(({ change }) => change !== 'same')
      const faults = steps.flatMap(({ kind, key, fault }) =>
        fault === undefined ? [] : `${kind.one} ${key}: ${fault}`,
      )
      if (faults.length > 0) throw new CommandError(exitCodes.failed, faults.join('\n'))
      if (options.dryRun || todo.length === 0)
        return output.result(
          toWire(
            steps.map((step) => ({ step })),
            options.dryRun === true,
          ),
          toPlan(steps),
        )
      output.note(toPlan(steps))
      await confirm(`Do it?`, options.yes)
      report(output, await applyAll(admin, steps))
    })
}

/** One that fails does not keep back the others, which may not need it. */
async function applyAll(admin: Admin, steps: readonly Step[]): Promise<Done[]> {
  const done: Done[] = []
  for (const step of steps) {
    const { kind, key, wanted, changed, change } = step
    try {
      if (change === 'create') await kind.create(admin, key, wanted)
      else if (change === 'change') await kind.change(admin, key, wanted, changed)
      done.push({ step })
    } catch (error) {
      done.push({ step, error: toFailure(error).message })
    }
  }
  return done
}

function report(output: Output, done: readonly Done[]): void {
  const failed = done.filter(({ error }) => error !== undefined)
  const count = done.filter(({ step, error }) => step.change !== 'same' && error === undefined).length
  output.result(toWire(done, false), `${count} done${failed.length > 0 ? `, ${failed.length} failed` : ''}`)
  for (const { step, error } of failed) output.note(`${step.kind.one} ${step.key}: ${error ?? ''}`)
  if (failed.length > 0) process.exitCode = count > 0 ? exitCodes.partly : exitCodes.failed
}

function toWire(done: readonly Done[], dryRun: boolean): object {
  return {
    dry_run: dryRun,
    steps: done.map(({ step: { kind, key, change, changed }, error }) => ({
      kind: kind.name,
      key,
      change,
      members: change === 'change' ? Object.keys(changed) : [],
      ...(error !== undefined && { error }),
    })),
  }
}

function toPlan(steps: readonly Step[]): string {
  const rows = steps.map(({ kind, key, change, changed }) => [
    change,
    kind.one,
    key,
    change === 'change' ? Object.keys(changed).join(', ') : '',
  ])
  const counts = [...Map.groupBy(steps, ({ change }) => change)].map(([change, of]) => `${of.length} ${change}`)
  return `${toTable(['PLAN', 'KIND', 'KEY', 'MEMBERS'], rows)}\n${counts.join(', ') || 'nothing to do'}`
}
