import { isRecord } from './php-json.ts'
import type { Contact } from './shapes.ts'

/**
 * The fields of a contact (or of a company) by alias, out of the groups that eSauti keeps them in.
 *
 * @example toContactFields(contact).email
 */
export function toContactFields({ fields }: Pick<Contact, 'fields'>): Record<string, unknown> {
  if (!isRecord(fields)) return {}
  const { all, ...groups } = fields
  if (isRecord(all)) return all
  const members = Object.values(groups).flatMap((group) => (isRecord(group) ? Object.entries(group) : []))
  return Object.fromEntries(members.map(([alias, field]) => [alias, isRecord(field) ? field['value'] : field]))
}
