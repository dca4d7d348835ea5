import { defineDomain } from './domain.ts'
import { choice, count, flag, id, list, object, text, time, url } from './schema.ts'

const about = object({ type: text('deal'), id: id('del_8') })
const task = { task_id: id('tsk_90') }
const note = { note_id: id('nte_2') }
const call = { call_id: id('cal_33') }
const callDetails = { contact_id: id('cus_204'), user_id: id('usr_12'), about }
const direction = choice('inbound', 'outbound')
const meeting = { meeting_id: id('mtg_15') }
const span = { starts_at: time('2026-03-20T14:00:00Z'), ends_at: time('2026-03-20T14:30:00Z') }

export const activities = defineDomain('activity', 'Everyday work with contacts: tasks, notes, calls, meetings.', {
  'task.created': {
    description: 'Something that is to be done was written down.',
    required: { ...task, title: text('Send samples'), created_at: time() },
    optional: {
      about,
      assignee_id: id('usr_12'),
      due_at: time('2026-03-18T17:00:00Z'),
      priority: choice('low', 'normal', 'high'),
    },
  },
  'task.assigned': {
    description: 'A task was given to somebody.',
    required: { ...task, assignee_id: id('usr_12') },
    optional: { previous_assignee_id: id('usr_9'), assigned_by: id('usr_1'), assigned_at: time() },
  },
  'task.completed': {
    description: 'A task was done and needs no more work.',
    required: { ...task, completed_by: id('usr_12'), completed_at: time('2026-03-17T10:00:00Z') },
    optional: { about, result: text('Samples sent.') },
  },
  'task.reopened': {
    description: 'A task that was done is to be done again.',
    required: { ...task, reopened_at: time('2026-03-18T10:00:00Z') },
    optional: { reason: text('The parcel came back.'), assignee_id: id('usr_12') },
  },
  'task.became_overdue': {
    description: 'The time by which a task should have been done has passed.',
    required: { ...task, due_at: time('2026-03-18T17:00:00Z') },
    optional: { about, assignee_id: id('usr_12') },
  },
  'note.added': {
    description: 'Somebody wrote down a note on a contact, a deal or another thing.',
    required: { ...note, about, text: text('Prefers to be called in the morning.') },
    optional: { author_id: id('usr_12'), is_pinned: flag(false), added_at: time() },
  },
  'note.edited': {
    description: 'The words of a note were changed.',
    required: { ...note, text: text('Prefers to be called after lunch.'), edited_at: time() },
    optional: { about, author_id: id('usr_12') },
  },
  'note.deleted': {
    description: 'A note was thrown away.',
    required: { ...note, deleted_at: time() },
    optional: { about, deleted_by: id('usr_12') },
  },
  'call.started': {
    description: 'A phone call was answered, and the two sides can talk.',
    required: { ...call, direction, started_at: time() },
    optional: { ...callDetails, queue: text('sales'), waited_seconds: count(12) },
  },
  'call.completed': {
    description: 'A phone call that was answered came to its end.',
    required: { ...call, direction, duration_seconds: count(310) },
    optional: { ...callDetails, outcome: text('asked for a quote'), ended_at: time('2026-03-14T09:32:03Z') },
  },
  'call.missed': {
    description: 'A phone call was not answered by anybody.',
    required: { ...call, direction, missed_at: time() },
    optional: { ...callDetails, rang_seconds: count(25), went_to_voicemail: flag() },
  },
  'call.recorded': {
    description: 'The recording of a phone call can be listened to.',
    required: { ...call, recording_url: url('https://calls.example/recordings/33') },
    optional: { ...callDetails, transcript_url: url('https://calls.example/transcripts/33'), consent_given: flag() },
  },
  'voicemail.left': {
    description: 'A caller who was not answered spoke a message.',
    required: { voicemail_id: id('vml_1'), duration_seconds: count(20, 1), left_at: time() },
    optional: { call_id: id('cal_33'), contact_id: id('cus_204'), transcript: text('Please call me back.') },
  },
  'meeting.scheduled': {
    description: 'A time for a meeting was agreed.',
    required: { ...meeting, title: text('Look at samples'), ...span },
    optional: {
      about,
      organizer_id: id('usr_12'),
      attendee_ids: list(id('cus_204')),
      join_url: url('https://meet.example/15'),
    },
  },
  'meeting.rescheduled': {
    description: 'A meeting was moved to another time.',
    required: { ...meeting, ...span, previous_starts_at: time('2026-03-19T14:00:00Z') },
    optional: { rescheduled_by: choice('organizer', 'attendee'), reason: text('Ill.') },
  },
  'meeting.cancelled': {
    description: 'A meeting that was agreed will not take place.',
    required: { ...meeting, cancelled_by: choice('organizer', 'attendee', 'system'), cancelled_at: time() },
    optional: { starts_at: span.starts_at, reason: text('Not needed any more.') },
  },
  'meeting.held': {
    description: 'A meeting took place with at least one attendee.',
    required: { ...meeting, duration_minutes: count(35, 1), attendee_ids: list(id('cus_204')) },
    optional: { about, outcome: text('Will order in May.'), recording_url: url('https://meet.example/15/recording') },
  },
  'meeting.missed': {
    description: 'Somebody who was expected did not come to a meeting.',
    required: { ...meeting, absent_ids: list(id('cus_204')) },
    optional: { about, starts_at: span.starts_at },
  },
  'meeting_invitation.accepted': {
    description: 'Somebody who was invited will come to a meeting.',
    required: { ...meeting, attendee_id: id('cus_204'), accepted_at: time() },
    optional: { is_tentative: flag(false) },
  },
  'meeting_invitation.declined': {
    description: 'Somebody who was invited will not come to a meeting.',
    required: { ...meeting, attendee_id: id('cus_204'), declined_at: time() },
    optional: { comment: text('I am away that week.') },
  },
})
