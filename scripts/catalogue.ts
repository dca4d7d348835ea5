import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { catalogue, domains, type CatalogueEntry } from '@sluice/client/catalogue'

/**
 * Writes what follows from the catalogue of event types: the constants of the client, and the tables of the page on them.
 * `node scripts/catalogue.ts` writes, `--check` says what is not as it should be and ends with exit code 1.
 */
const constantsFile = 'packages/client/src/catalogue/event-type.ts'
const pageFile = 'docs/client/06-event-types.md'
const marker = '<!-- From here on this page is written by scripts/catalogue.ts. -->'

export const catalogueFiles = [
  { file: constantsFile, content: toConstants },
  { file: pageFile, content: () => toPage(readFileSync(pageFile, 'utf8')) },
] as const

function toConstantName(eventType: string): string {
  return eventType.toUpperCase().replaceAll('.', '_')
}

function toConstants(): string {
  const lines = catalogue.map(({ event_type }) => `  ${toConstantName(event_type)}: '${event_type}',`)
  return `// Written by scripts/catalogue.ts from the domains beside this file.

/** The canonical event types, by constant: \`EventType.ORDER_CREATED\` is \`'order.created'\`. */
export const EventType = {
${lines.join('\n')}
} as const

export type CanonicalEventType = (typeof EventType)[keyof typeof EventType]
`
}

function toPage(page: string): string {
  const prose = page.slice(0, page.indexOf(marker))
  if (!page.includes(marker)) throw new Error(`${pageFile} has lost the line "${marker}"; put it after the prose`)
  const summary = `The catalogue has ${catalogue.length} event types in ${domains.length} domains.`
  const tables = domains.map(({ name, about }) => toTable(name, about))
  return `${prose}${marker}\n\n## All event types\n\n${summary}\n\n${tables.join('\n')}`
}

function toTable(domain: string, about: string): string {
  const rows = catalogue.filter((entry) => entry.domain === domain).map(toRow)
  const head = '| event type | constant | when | required members |\n|---|---|---|---|'
  return `### ${domain}\n\n${about}\n\n${head}\n${rows.join('\n')}\n`
}

function toRow({ event_type, description, schema }: CatalogueEntry): string {
  const members = (schema.required ?? []).map((name) => `\`${name}\``).join(', ')
  return `| \`${event_type}\` | \`${toConstantName(event_type)}\` | ${description} | ${members} |`
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { check: { type: 'boolean' } } })
  for (const { file, content } of catalogueFiles) {
    if (!values.check) writeFileSync(file, content())
    else if (readFileSync(file, 'utf8') !== content()) {
      console.error(`${file} is not what the catalogue says; run node scripts/catalogue.ts`)
      process.exitCode = 1
    }
  }
}
