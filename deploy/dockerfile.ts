import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { delimiter, dirname, join, matchesGlob, resolve } from 'node:path'

type Instruction = { readonly name: string; readonly text: string }
export type Stage = { readonly image: string; readonly alias: string; readonly instructions: readonly Instruction[] }

/** As much of the format as this repository uses: no heredocs, no variables outside of commands. */
export function parseDockerfile(source: string): Stage[] {
  const lines = source
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
  const stages: { image: string; alias: string; instructions: Instruction[] }[] = []
  for (const line of lines) {
    const [, name = '', text = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
    if (name === '') throw new Error(`not understood: ${line}`)
    const [image = '', , alias = ''] = text.split(' ')
    if (name === 'FROM') stages.push({ image, alias, instructions: [] })
    else stages.at(-1)?.instructions.push({ name, text })
  }
  return stages
}

export function textsOf(stage: Stage, name: string): string[] {
  return stage.instructions.filter((instruction) => instruction.name === name).map(({ text }) => text)
}

/** The last pattern that names the path, or a folder above it, decides; `!` lets it in again. */
export function isIgnored(path: string, patterns: readonly string[]): boolean {
  const parts = path.split('/')
  const above = parts.map((_, index) => parts.slice(0, index + 1).join('/'))
  const matches = (pattern: string): boolean =>
    // Here `*` is any name, also one that begins with a dot.
    pattern === '*' || above.some((part) => matchesGlob(part, pattern.replace(/^!/, '')))
  const last = patterns.findLast(matches)
  return last !== undefined && !last.startsWith('!')
}

export function readPatterns(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
}

export type Replay = {
  /** where the files of the last stage are: `/app` of the image is `app` in it */
  readonly root: string
  readonly environment: Readonly<Record<string, string>>
}

/**
 * Does in plain folders what a container engine does with the Dockerfile of `context`: COPY, RUN, WORKDIR and ENV, with the
 * programs of this machine instead of the image's.
 */
export function replay(context: string, folder: string): Replay {
  const stages = parseDockerfile(readFileSync(join(context, 'Dockerfile'), 'utf8'))
  const patterns = readPatterns(join(context, '.dockerignore'))
  const names = stages.map(({ alias }, index) => alias || String(index))
  let environment: Record<string, string> = {}
  for (const [index, stage] of stages.entries()) {
    const root = join(folder, names[index] ?? '')
    environment = {}
    let cwd = root
    for (const { name, text } of stage.instructions) {
      if (name === 'ENV') Object.assign(environment, toVariables(text))
      if (name === 'WORKDIR') mkdirSync((cwd = join(root, text)), { recursive: true })
      if (name === 'RUN') run(text, { root, cwd, environment })
      if (name === 'COPY')
        copy(text, { context, patterns, root, cwd, stageRoot: (stageName) => join(folder, stageName) })
    }
  }
  return { root: join(folder, names.at(-1) ?? ''), environment }
}

export function toVariables(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(' ').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
}

type Place = { readonly root: string; readonly cwd: string; readonly environment: Readonly<Record<string, string>> }

function run(text: string, { root, cwd, environment }: Place): void {
  // Paths of the image are below the folder here, and there is no user `node`.
  const command = text.replaceAll(/(?<=\s)\/(?=\w)/g, `${root}/`).replaceAll(/ -[og] node\b/g, '')
  const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  const env = { ...process.env, ...environment, PATH, npm_config_prefer_offline: 'true' }
  const { status, stdout, stderr } = spawnSync('sh', ['-euc', command], { cwd, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`RUN ${text}: ${stdout}${stderr}`)
}

type Copying = {
  readonly context: string
  readonly patterns: readonly string[]
  readonly root: string
  readonly cwd: string
  readonly stageRoot: (name: string) => string
}

function copy(text: string, { context, patterns, root, cwd, stageRoot }: Copying): void {
  const words = text.split(' ')
  const stage = words.find((word) => word.startsWith('--from='))?.slice('--from='.length)
  const paths = words.filter((word) => !word.startsWith('--'))
  const to = paths.pop() ?? ''
  const target = to.startsWith('/') ? join(root, to) : resolve(cwd, to)
  for (const path of paths) {
    if (stage !== undefined) {
      cpSync(join(stageRoot(stage), path), target, { recursive: true, verbatimSymlinks: true })
      continue
    }
    const from = join(context, path)
    if (!existsSync(from) || isIgnored(path, patterns)) throw new Error(`COPY ${path}: it is not in the context`)
    if (!statSync(from).isDirectory()) {
      cpSync(from, to.endsWith('/') ? join(target, path.slice(path.lastIndexOf('/') + 1)) : target)
      continue
    }
    for (const file of globSync('**/*', { cwd: from, withFileTypes: true })) {
      const full = join(file.parentPath, file.name)
      if (file.isFile() && !isIgnored(full.slice(context.length + 1), patterns))
        cpSync(full, join(target, full.slice(from.length)))
    }
  }
}
