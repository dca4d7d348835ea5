import { money } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { between, choice, count, date, flag, id, list, object, text, time, url } from './schema.ts'

const employee = { employee_id: id('emp_7') }
const position = { job_title: text('potter'), department: text('workshop') }
const leave = { leave_request_id: id('lve_3'), ...employee }
const expense = { expense_id: id('exn_9'), amount: money(8640) }
const candidate = { candidate_id: id('can_2'), job_id: id('job_11') }
const project = { project_id: id('prj_6') }
const milestone = { ...project, milestone_id: id('mil_2'), name: text('First kiln load') }

export const people = defineDomain('people', 'Employees, applicants and the projects that are worked on.', {
  'employee.hired': {
    description: 'A person will work for the company from a day on.',
    required: { ...employee, starts_on: date('2026-04-01'), job_title: text('potter') },
    optional: {
      ...position,
      manager_id: id('emp_1'),
      employment: choice('full-time', 'part-time', 'temporary', 'intern'),
    },
  },
  'employee.onboarded': {
    description: 'A new employee has everything that is needed to work.',
    required: { ...employee, onboarded_at: time('2026-04-03T15:00:00Z') },
    optional: { steps: list(text('laptop')) },
  },
  'employee.promoted': {
    description: 'An employee has a higher position from a day on.',
    required: { ...employee, ...position, previous_job_title: text('apprentice'), effective_on: date('2026-10-01') },
    optional: { manager_id: id('emp_1') },
  },
  'employee.transferred': {
    description: 'An employee moves to another department, place or manager.',
    required: { ...employee, effective_on: date('2026-10-01') },
    optional: { ...position, previous_department: text('shop'), location: text('Laval'), manager_id: id('emp_1') },
  },
  'employee.left': {
    description: 'A person does not work for the company any more, or will not from a day on.',
    required: {
      ...employee,
      last_day_on: date('2027-06-30'),
      cause: choice('resignation', 'dismissal', 'retirement', 'end-of-contract', 'other'),
    },
    optional: position,
  },
  'leave.requested': {
    description: 'An employee wants to be away for some days and waits for an answer.',
    required: {
      ...leave,
      kind: choice('vacation', 'sick', 'parental', 'unpaid', 'other'),
      starts_on: date('2026-07-06'),
      ends_on: date('2026-07-17'),
    },
    optional: { days: between(0, 366, 10), comment: text('Two weeks at the lake.') },
  },
  'leave.approved': {
    description: 'An employee may be away as was asked.',
    required: { ...leave, approved_by: id('emp_1'), approved_at: time() },
    optional: { days_left: between(0, 366, 5.5) },
  },
  'leave.declined': {
    description: 'An employee may not be away as was asked.',
    required: { ...leave, declined_by: id('emp_1'), reason: text('The kiln is full that week.') },
    optional: { declined_at: time() },
  },
  'expense.submitted': {
    description: 'An employee wants money back that was spent for the company.',
    required: {
      ...expense,
      ...employee,
      category: choice('travel', 'meals', 'lodging', 'material', 'other'),
      spent_on: date('2026-03-12'),
    },
    optional: { receipt_url: url('https://files.example/receipts/9'), merchant: text('Via Rail') },
  },
  'expense.approved': {
    description: 'An expense of an employee will be paid back.',
    required: { ...expense, approved_by: id('emp_1'), approved_at: time() },
    optional: employee,
  },
  'expense.reimbursed': {
    description: 'An employee got back what was spent for the company.',
    required: { ...expense, reimbursed_on: date('2026-03-31') },
    optional: { ...employee, payroll_id: id('pyr_2026_03') },
  },
  'candidate.applied': {
    description: 'A person applied for a job that is open.',
    required: { ...candidate, applied_at: time() },
    optional: {
      origin: choice('site', 'board', 'referral', 'agency', 'other'),
      resume_url: url('https://files.example/resumes/2'),
    },
  },
  'candidate.interviewed': {
    description: 'Somebody of the company spoke with an applicant.',
    required: { ...candidate, interviewer_ids: list(id('emp_1')), interviewed_at: time('2026-03-18T10:00:00Z') },
    optional: { round: count(1, 1), recommendation: choice('yes', 'no', 'unsure') },
  },
  'candidate.rejected': {
    description: 'It was decided that an applicant does not get a job.',
    required: {
      ...candidate,
      stage: choice('screening', 'interview', 'offer'),
      rejected_at: time('2026-03-19T10:00:00Z'),
    },
    optional: { reason: text('No experience with glazes.') },
  },
  'project.created': {
    description: 'A project was set up; work on it may begin later.',
    required: { ...project, name: text('New kiln'), created_at: time() },
    optional: {
      owner_id: id('emp_1'),
      due_on: date('2026-09-30'),
      budget: money(1_800_000),
      customer_id: id('cus_204'),
    },
  },
  'project.started': {
    description: 'Work on a project began.',
    required: { ...project, started_on: date('2026-04-06') },
    optional: { member_ids: list(id('emp_7')) },
  },
  'project.completed': {
    description: 'All work on a project was done.',
    required: { ...project, completed_on: date('2026-09-18') },
    optional: { cost: money(1_764_000), hours: between(0, 1e7, 412.5) },
  },
  'project.cancelled': {
    description: 'A project was given up before it was done.',
    required: { ...project, reason: text('The building has no gas.'), cancelled_at: time() },
    optional: { cost: money(64_000) },
  },
  'milestone.reached': {
    description: 'A project came to a point that had been planned.',
    required: { ...milestone, reached_on: date('2026-06-12') },
    optional: { planned_on: date('2026-06-15') },
  },
  'milestone.missed': {
    description: 'The day planned for a milestone has passed without it.',
    required: { ...milestone, planned_on: date('2026-06-15') },
    optional: { expected_on: date('2026-06-29'), blockers: list(object({ text: text('The chimney is late.') })) },
  },
  'time_entry.logged': {
    description: 'Time that somebody worked was written down.',
    required: {
      time_entry_id: id('tme_5'),
      employee_id: id('emp_7'),
      minutes: count(90, 1),
      worked_on: date('2026-04-07'),
    },
    optional: {
      project_id: id('prj_6'),
      task_id: id('tsk_90'),
      is_billable: flag(false),
      note: text('Laid the bricks.'),
    },
  },
})
