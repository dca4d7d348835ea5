import type { Command } from 'commander'
import { addTypesGenerate } from './types-generate.ts'

export function addTypes(program: Command): void {
  const types = program.command('types').summary('event types and topic files')
  addTypesGenerate(types)
}
