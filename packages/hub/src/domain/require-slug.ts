import { Slug, toValidationError } from '@sluice/protocol'

/** @param member of the path that holds the key @throws HubError `validation-error` */
export function requireSlug(key: string, member: string): void {
  const { error } = Slug.safeParse(key)
  if (error)
    throw toValidationError(error.issues.map(({ message }) => ({ pointer: `path.${member}`, detail: message })))
}
