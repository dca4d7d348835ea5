import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export type PythonOptions = {
  readonly args?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly onStderr?: (text: string) => void
}

/** What a script of `examples/` prints, for tests; rejects with what it wrote to stderr if it fails. */
export function runPython(script: string, { args = [], env, onStderr }: PythonOptions): Promise<string> {
  const path = fileURLToPath(new URL(`../examples/${script}`, import.meta.url))
  // Python would leave its compiled form beside the script.
  const child = spawn('python3', [path, ...args], { env: { ...process.env, ...env, PYTHONDONTWRITEBYTECODE: '1' } })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
    onStderr?.(text)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${script} ended with ${code}: ${errors}`)),
    )
  })
}
