import { EraseRequest, Erased } from '../erasure.ts'
import { AuditEntry, Key, KeyStatus, KeyWithSecret, NewKey, PatchKey, RotateKey, RotatedKey } from '../key.ts'
import { PutWorkspace, Workspace } from '../workspace.ts'
import { list, ok, page, type Route } from '../route.ts'

/** Keys, audit, workspaces. */
export const adminRoutes = {
  listKeys: {
    method: 'GET',
    path: '/v1/keys',
    summary: "The workspace's keys",
    access: 'admin',
    query: page.extend({ status: KeyStatus.optional() }),
    answers: ok('a page', list('keys', Key)),
  },
  createKey: {
    method: 'POST',
    path: '/v1/keys',
    summary: 'Make a key',
    access: 'admin',
    body: NewKey,
    answers: { 201: { description: 'the key, with its secret this once', schema: KeyWithSecret } },
  },
  getKey: {
    method: 'GET',
    path: '/v1/keys/{key_id}',
    summary: 'One key',
    access: 'admin',
    answers: ok('the key', Key),
  },
  patchKey: {
    method: 'PATCH',
    path: '/v1/keys/{key_id}',
    summary: 'Change, activate or deactivate a key',
    access: 'admin',
    body: PatchKey,
    answers: ok('the key', Key),
  },
  rotateKey: {
    method: 'POST',
    path: '/v1/keys/{key_id}/rotate',
    summary: 'A new secret under the same id: API key or HMAC secret',
    access: 'admin',
    body: RotateKey,
    bodyOptional: true,
    answers: ok('the key, with its new secret this once', RotatedKey),
  },
  revokeKey: {
    method: 'DELETE',
    path: '/v1/keys/{key_id}',
    summary: 'Revoke a key for good',
    access: 'admin',
    answers: { 204: { description: 'revoked, now or before' } },
  },
  listAudit: {
    method: 'GET',
    path: '/v1/audit',
    summary: 'Who did what, newest first',
    access: 'admin',
    query: page,
    answers: ok('a page', list('entries', AuditEntry)),
  },
  eraseIdentity: {
    method: 'POST',
    path: '/v1/erasures',
    summary: "Erase a person's events, step by step",
    access: 'admin',
    body: EraseRequest,
    answers: ok('what this step did; send it again with `next_cursor` until `done`', Erased),
  },

  listWorkspaces: {
    method: 'GET',
    path: '/v1/workspaces',
    summary: 'All workspaces',
    access: 'instance',
    query: page,
    answers: ok('a page', list('workspaces', Workspace)),
  },
  putWorkspace: {
    method: 'PUT',
    path: '/v1/workspaces/{workspace}',
    summary: 'Ensure a workspace',
    access: 'instance',
    body: PutWorkspace,
    bodyOptional: true,
    answers: { 200: { description: 'was there', schema: Workspace }, 201: { description: 'made', schema: Workspace } },
  },
  getWorkspace: {
    method: 'GET',
    path: '/v1/workspaces/{workspace}',
    summary: 'One workspace',
    access: 'instance',
    answers: ok('the workspace', Workspace),
  },
  deleteWorkspace: {
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}',
    summary: 'Remove a workspace with its events, inboxes and keys',
    access: 'instance',
    answers: { 204: { description: 'removed' } },
  },
} as const satisfies Record<string, Route>
