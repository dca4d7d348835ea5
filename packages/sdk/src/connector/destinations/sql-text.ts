/** Identifiers are always quoted: `order` and `group` are good names for a column. */
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`
export const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
