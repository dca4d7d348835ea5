import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { topicsFromFile } from '@sluice/client/node'
import { TopicsError, type Topic, type Topics } from '@sluice/client/topics'
import type { Command } from 'commander'
import { usage } from '../exit.ts'
import { withJson, type JsonOption } from '../options.ts'
import { createOutput } from '../output.ts'

/** @param types the command that this one belongs to */
export function addTypesGenerate(types: Command): void {
  withJson(types.command('generate'))
    .summary('TypeScript for a topic file')
    .description('Writes TypeScript for a topic file: its definitions, and a type for the data of each topic.')
    .argument('<file>', 'YAML or JSON; - for stdin')
    .option('--out <file>', 'where to; default stdout')
    .action(async (file: string, options: JsonOption & { readonly out?: string }) => {
      const topics = await readTopics(file)
      const code = toTypeScript(topics, file === '-' ? 'stdin' : basename(file))
      if (options.out !== undefined) await writeFile(options.out, code)
      const result = { topics: topics.list.length, ...(options.out === undefined ? { code } : { out: options.out }) }
      const words =
        options.out === undefined ? code.trimEnd() : `${topics.list.length} topics written to ${options.out}`
      createOutput(options).result(result, words)
    })
}

async function readTopics(file: string): Promise<Topics> {
  try {
    return await topicsFromFile(file === '-' ? process.stdin : file)
  } catch (error) {
    if (error instanceof TopicsError) throw error
    throw usage(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/**
 * A module that exports `definitions`, `topics`, and for each topic the type of its data. The definitions stand in it whole,
 * so it needs no file when it runs.
 *
 * @param name of the file, for the first line
 */
export function toTypeScript({ list, defaultCategory }: Topics, name: string): string {
  const names = toTypeNames(list, defaultCategory)
  const types = list.map(({ entity, action, category, description, eventType }, index) => {
    const words = toComment(description ?? `Data of ${eventType}.`)
    return `/** ${words} */\nexport type ${names[index]} = DataOf<typeof topics, '${entity}', '${action}', '${category}'>\n`
  })
  return [
    `// Written by: sluice types generate ${toComment(name)}. Change the file and generate again.`,
    `import { defineTopics, type DataOf } from '@sluice/client/topics'\n`,
    `export const definitions = ${toLiteral(list, defaultCategory)} as const\n`,
    `export const topics = defineTopics(definitions)\n`,
    ...types,
  ].join('\n')
}

function toLiteral(list: readonly Topic[], defaultCategory: string | undefined): string {
  const topics = list.map(({ action, entity, category, description, schema }) => ({
    Action: action,
    Entity: entity,
    ...(category !== defaultCategory && { Category: category }),
    ...(description !== undefined && { Description: description }),
    Schema: schema,
  }))
  const definitions = { ...(defaultCategory !== undefined && { DefaultCategory: defaultCategory }), Topics: topics }
  // In a literal it would be the prototype, and not a member.
  return JSON.stringify(definitions, null, 2).replaceAll('"__proto__":', '["__proto__"]:')
}

/** `MyEntityCreated`; with its category in front where that is not the default one. */
function toTypeNames(list: readonly Topic[], defaultCategory: string | undefined): string[] {
  const taken = new Set<string>()
  return list.map(({ entity, action, category }) => {
    const name = category === defaultCategory ? `${entity}${action}` : `${toStudly(category)}${entity}${action}`
    let free = name
    for (let more = 2; taken.has(free); more += 1) free = `${name}${more}`
    taken.add(free)
    return free
  })
}

function toStudly(category: string): string {
  return category.replaceAll(/(?:^|[_-])([a-z0-9])/g, (_, first: string) => first.toUpperCase())
}

/** Text that ends no comment and begins no line. */
function toComment(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ').replaceAll('*/', '* /')
}
