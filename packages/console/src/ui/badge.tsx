export type Tone = 'good' | 'flight' | 'wait' | 'bad' | 'off'

/** A state: a word with its colour and a shape, never the colour alone. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: string }) {
  return <span class={`badge ${tone}`}>{children}</span>
}
