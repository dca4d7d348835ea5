import type { Tone } from './badge.tsx'

export type Figure = {
  readonly name: string
  readonly value: string
  readonly hint?: string
  readonly tone?: Tone | undefined
  readonly href?: string | undefined
}

/** A few numbers, large enough to read from afar. */
export function Figures({ figures }: { readonly figures: readonly Figure[] }) {
  return (
    <dl class="figures">
      {figures.map(({ name, value, hint, tone, href }) => (
        <div key={name} title={hint}>
          <dt>{name}</dt>
          <dd class={tone ? `${tone}-text` : ''}>{href ? <a href={href}>{value}</a> : value}</dd>
        </div>
      ))}
    </dl>
  )
}
