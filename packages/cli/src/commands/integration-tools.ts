import { spawn } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { loadFolder, readFolderConfig } from '@sluice/sdk/folder'
import type { Command } from 'commander'
import { exitCodes, usage } from '../exit.ts'
import { toTemplate } from '../integration-template.ts'
import { toIntegrationTypes } from '../integration-types.ts'
import { readJson, withJson, type JsonOption } from '../options.ts'
import { createOutput } from '../output.ts'

type OutOptions = JsonOption & { readonly out?: string }

/** For who writes integrations. @param integrations the command that these belong to */
export function addIntegrationTools(integrations: Command): void {
  withJson(integrations.command('new'))
    .description('Makes the folder of a new integration. It works as it is, with a test, and is there to be changed.')
    .argument('<name>', 'of the folder: lower case with hyphens')
    .action(makeNew)
  withJson(integrations.command('types'))
    .description("Writes TypeScript types for an integration's config.json.")
    .argument('<folder>', 'of the integration')
    .option('--out <file>', 'where to; default stdout')
    .action(writeTypes)
  withJson(integrations.command('config'))
    .description('Writes the config.json of an integration that is defined in TypeScript; the hub reads that file.')
    .argument('<folder>', 'of the integration')
    .option('--out <file>', 'where to; default stdout')
    .action(writeConfig)
  integrations
    .command('test')
    .description(
      "Runs an integration's *.test.ts. Requests that no vendor of a test takes are answered from cassettes/.",
    )
    .argument('<folder>', 'of the integration')
    .option('--record', 'send them to the real service, and write the cassettes; no secret is kept')
    .option('--replay', 'refuse those that are in no cassette')
    .option('--auth <json>', 'credentials for --record: an object, or @FILE')
    .action(runTests)
}

async function makeNew(name: string, options: JsonOption): Promise<void> {
  if (!/^[a-z][a-z0-9-]{0,99}$/.test(name))
    throw usage(`"${name}" is no name for an integration: write it in lower case with hyphens, as weather-map`)
  if (existsSync(name)) throw usage(`${name} is there already; choose another name`)
  await mkdir(name)
  const files = Object.entries(toTemplate(name))
  for (const [file, text] of files) await writeFile(join(name, file), text)
  const made = files.map(([file]) => join(name, file))
  createOutput(options).result({ name, files: made }, `${made.join('\n')}\nnow: sluice integrations test ${name}`)
}

async function writeTypes(folder: string, options: OutOptions): Promise<void> {
  const { config, errors } = readFolderConfig(folder)
  const faults = errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')
  if (!config) throw usage(`${join(folder, 'config.json')} cannot be used: ${faults || 'there is none'}`)
  await put(toIntegrationTypes(config, basename(resolve(folder))), options)
}

async function writeConfig(folder: string, options: OutOptions): Promise<void> {
  const { config } = await loadFolder(folder)
  const triggers = Object.entries(config.polling_triggers).map(([name, trigger]) => {
    const { intervalSeconds: _, ...source } = trigger
    return [name, source]
  })
  const source = { ...config, auth: config.auth?.source, polling_triggers: Object.fromEntries(triggers) }
  await put(`${JSON.stringify(source, undefined, 2)}\n`, options)
}

async function put(text: string, options: OutOptions): Promise<void> {
  const { out } = options
  if (out !== undefined) await writeFile(out, text)
  createOutput(options).result(
    out === undefined ? { text } : { out },
    out === undefined ? text.trimEnd() : `${out} written`,
  )
}

type TestOptions = { readonly record?: boolean; readonly replay?: boolean; readonly auth?: string }

async function runTests(folder: string, { record, replay, auth }: TestOptions): Promise<void> {
  if (record && replay) throw usage('--record and --replay exclude each other')
  if (auth !== undefined && !record) throw usage('--auth is for --record; tests bring stand-ins themselves')
  const files = globSync('**/*.test.{ts,mts,js,mjs}', { cwd: folder, exclude: (name) => name === 'node_modules' })
  if (files.length === 0) throw usage(`there is no *.test.ts in ${folder}`)
  // Left over from a test run that this command is part of, it would make node:test write for a machine.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, ['--test', ...files.toSorted().map((file) => resolve(folder, file))], {
    stdio: 'inherit',
    env: {
      ...env,
      ...((record ?? replay) && { SLUICE_CASSETTES: record ? 'record' : 'replay' }),
      ...(auth !== undefined && { SLUICE_TEST_AUTH: JSON.stringify(readJson('--auth', auth)) }),
    },
  })
  const code = await new Promise<number | null>((done, failed) => child.on('error', failed).on('close', done))
  process.exitCode = code === 0 ? exitCodes.done : exitCodes.failed
}
