import { z } from 'zod'

/** Keys of inboxes and workspaces: what fits in an address without escaping. */
export const Slug = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, 'must have 1 to 100 characters of a-z 0-9 . _ -, the first a letter or digit')
