/** A fenced block that is run. */
export type Snippet = {
  readonly language: 'sh' | 'ts' | 'python'
  readonly code: string
  /** of the opening fence, from 1 */
  readonly line: number
}

const runnable: readonly string[] = ['sh', 'ts', 'python'] satisfies Snippet['language'][]
/** Blocks that show something: output, files, requests, pictures, and commands that cannot be repeated here. */
const shown: readonly string[] = ['text', 'json', 'ndjson', 'yaml', 'http', 'sql', 'mermaid', 'diff', 'console', 'ini']

/**
 * The blocks of a page that are run, and faults: a block in a language that is neither run nor known to be only shown,
 * so that none is left out by accident.
 */
export function toSnippets(markdown: string): {
  snippets: Snippet[]
  faults: { line: number; detail: string }[]
} {
  const snippets: Snippet[] = []
  const faults: { line: number; detail: string }[] = []
  let open: { indent: string; fence: string; language: string; line: number; code: string[] } | undefined
  for (const [index, text] of markdown.split('\n').entries()) {
    const line = index + 1
    if (open === undefined) {
      const [, indent = '', fence, language = ''] = /^(\s*)(`{3,}|~{3,})\s*([^\s`]*)/.exec(text) ?? []
      if (fence !== undefined) open = { indent, fence, language, line, code: [] }
      continue
    }
    if (text.trim() !== open.fence) {
      open.code.push(text.startsWith(open.indent) ? text.slice(open.indent.length) : text)
      continue
    }
    const { language, code } = open
    if (isRunnable(language)) snippets.push({ language, code: `${code.join('\n')}\n`, line: open.line })
    else if (!shown.includes(language)) {
      const choice = `${runnable.join(', ')} are run; ${shown.join(', ')} are shown`
      faults.push({ line: open.line, detail: `a block in "${language}" is neither run nor only shown: ${choice}` })
    }
    open = undefined
  }
  if (open !== undefined) faults.push({ line: open.line, detail: 'the block is not closed' })
  return { snippets, faults }
}

function isRunnable(language: string): language is Snippet['language'] {
  return runnable.includes(language)
}
