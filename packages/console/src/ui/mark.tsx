/** A gate with three streams through it. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <path d="M3 7h9M3 12h18M3 17h13" stroke="currentColor" stroke-width="2" stroke-linecap="round" fill="none" />
      <path d="M15 4v6M18 14v6" stroke="var(--accent)" stroke-width="2.5" stroke-linecap="round" fill="none" />
    </svg>
  )
}
