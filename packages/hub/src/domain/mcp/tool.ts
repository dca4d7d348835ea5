import type { RunOptions } from '../../runner/runner.ts'
import { isObject } from '../json-text.ts'

/** A JSON Schema with an object at its root: nothing else may describe what a tool takes or gives. */
export type ObjectSchema = { readonly type: 'object' } & Readonly<Record<string, unknown>>

/** What an agent is told of a tool. */
export type Tool = {
  readonly name: string
  readonly title?: string
  readonly description: string
  readonly inputSchema: ObjectSchema
  readonly outputSchema?: ObjectSchema
}

export type ToolCall = {
  readonly name: string
  readonly inputs: Readonly<Record<string, unknown>>
  /** ends the run */
  readonly signal: AbortSignal
  readonly onProgress?: RunOptions['onProgress']
  /** sends no write request */
  readonly dryRun?: boolean
}

/** What became of a call: `text`, and the same as an object where the tool has an output schema. */
export type ToolResult = {
  readonly text: string
  readonly data?: Readonly<Record<string, unknown>>
  /** it failed, and `text` says why and what to do */
  readonly isError?: boolean
  /** null: not known */
  readonly costUsd?: number | null
}

/** Clients refuse a whole list of tools for one schema with a boolean among its properties, which JSON Schema allows. */
export function toObjectSchema(schema: Readonly<Record<string, unknown>>): ObjectSchema {
  const { properties, required, ...rest } = schema
  return {
    ...rest,
    type: 'object',
    ...(isObject(properties) && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, of]) => [name, toSchemaObject(of)])),
    }),
    ...(Array.isArray(required) && { required: required.filter((name) => typeof name === 'string') }),
  }
}

const toSchemaObject = (schema: unknown): object => (isObject(schema) ? schema : schema === false ? { not: {} } : {})

export const refusal = (text: string): ToolResult => ({ text, isError: true })
