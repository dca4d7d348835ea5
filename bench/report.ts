import { toText, toVerdict } from './figure.ts'
import type { Conditions } from './machine.ts'
import type { Figure } from './row.ts'

export type RowReport = {
  readonly name: string
  readonly title: string
  readonly figures: readonly Figure[]
  /** why there are none */
  readonly error?: string
  /** share of the machine that other processes used meanwhile */
  readonly othersPercent: number
  readonly seconds: number
}

export type Report = {
  readonly startedAt: string
  readonly quick: boolean
  readonly conditions: Conditions
  readonly rows: readonly RowReport[]
}

const digitsOf: Readonly<Record<string, number>> = { ms: 1, MB: 0 }

const toValue = (value: number, unit: string): string => `${toText(value, digitsOf[unit] ?? 2)} ${unit}`

export function printRow({ title, figures, error, othersPercent, seconds }: RowReport): string {
  const lines = [`${title} (${toText(seconds)} s, other processes ${toText(othersPercent)} %)`]
  for (const figure of figures) {
    const { path, against, unit, value, bar, rounds, details } = figure
    const bars = bar ? `, must ${toBar(bar.must, figure)}, aim ${toBar(bar.aim, figure)}` : ''
    lines.push(`  ${toVerdict(figure).toUpperCase().padEnd(6)} ${path}: ${toValue(value, unit)}${bars}`)
    lines.push(
      `         against: ${against}; rounds: ${rounds.map((round) => toText(round, digitsOf[unit] ?? 2)).join(' ')}`,
    )
    for (const detail of details) lines.push(`         ${detail}`)
  }
  if (error !== undefined) lines.push(`  FAILED ${error}`)
  return lines.join('\n')
}

function toBar(limit: number, { unit, bar }: Figure): string {
  return `${bar?.better === 'lower' ? '≤' : '≥'} ${limit} ${unit}`
}

/** The same as a page: a table, then what stands beside each figure. */
export function toMarkdown({ startedAt, quick, conditions, rows }: Report): string {
  return [
    '# Results of the benchmarks',
    '',
    `Written by \`npm run bench -- --write\` on ${startedAt.slice(0, 10)}${quick ? ' with `--quick`: short rounds and a log of a million events, good for a look and no more' : ''}. Every figure is a ratio against its reference in the same run, or a plain value where the bar is one. Absolute rates say something about this machine alone.`,
    '',
    toNoise(rows),
    '',
    '| | against | measured | must | aim | |',
    '|---|---|---|---|---|---|',
    ...rows.flatMap(toTableLines),
    '',
    '## Conditions',
    '',
    ...Object.entries(conditions).map(([name, value]) => `- **${name}**: ${value}`),
    '',
    '## Beside the figures',
    ...rows.flatMap(toDetailLines),
    '',
  ].join('\n')
}

/** Two threads of the hub and the load need both cores: whoever else runs takes from the hub first. */
function toNoise(rows: readonly RowReport[]): string {
  const shares = rows.map((row) => row.othersPercent)
  const range = `${toText(Math.min(...shares))} to ${toText(Math.max(...shares))} %`
  const warning =
    Math.max(...shares) > 10
      ? ' **That is too much to judge by these figures; run them again on a quiet machine.**'
      : ''
  return `While they were taken, other processes used ${range} of the machine, row by row.${warning}`
}

function toTableLines({ title, figures, error }: RowReport): string[] {
  if (error !== undefined) return [`| ${title} | | failed | | | **failed** |`]
  return figures.map((figure) => {
    const { path, against, value, unit, bar } = figure
    const bars = bar ? `${toBar(bar.must, figure)} | ${toBar(bar.aim, figure)}` : ' | '
    const verdict = toVerdict(figure)
    return `| ${path} | ${against} | ${toValue(value, unit)} | ${bars} | ${verdict === 'missed' ? '**missed**' : verdict} |`
  })
}

function toDetailLines({ title, figures, error, othersPercent }: RowReport): string[] {
  return [
    '',
    `### ${title}`,
    '',
    ...figures.map(({ path, unit, rounds, details }) => {
      const each = rounds.map((round) => toText(round, digitsOf[unit] ?? 2)).join(', ')
      return [`- ${path}: rounds ${each} ${unit}`, ...details.map((detail) => `  - ${detail}`)].join('\n')
    }),
    ...(error === undefined ? [] : [`- failed: ${error.split('\n')[0] ?? ''}`]),
    `- other processes used ${toText(othersPercent)} % of the machine meanwhile`,
  ]
}
