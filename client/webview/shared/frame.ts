/** What both panels have: the heading, the start and cancel buttons, progress, failures, and a place for the rest. */
import type { Subject, TaskName, ToPage } from '../../src/panels/messages';
import { h } from './dom';
import type { Host } from './host';

export interface FrameOptions {
  /** On the start button: `Run`. */
  startLabel: string;
  /** On the button that opens the other panel. */
  switchLabel: string;
  onStart(): void;
}

export class Frame<T extends TaskName> {
  private readonly title = h('h1');
  private readonly place = h('a', { class: 'place', href: '#', onclick: event => this.reveal(event) });
  private readonly start: HTMLButtonElement;
  private readonly cancel: HTMLButtonElement;
  private readonly bar = h('progress', { max: 1, 'aria-label': 'Progress' });
  private readonly message = h('span');
  private readonly progress = h('div', { class: 'progress', hidden: true }, this.bar, this.message);
  private readonly failure = h('div', { class: 'notice failure', role: 'alert', hidden: true });
  /** Said to screen readers, since results appear without the focus moving. */
  private readonly spoken = h('div', { class: 'spoken', role: 'status' });
  /** Controls of the task, between heading and result. */
  readonly controls = h('form', { class: 'controls', onsubmit: event => event.preventDefault() });
  readonly result = h('main');
  private subject: Subject | null = null;

  constructor(
    private readonly host: Host<T>,
    { startLabel, switchLabel, onStart }: FrameOptions,
  ) {
    this.start = h('button', { type: 'button', class: 'primary', onclick: onStart }, startLabel);
    this.cancel = h('button', { type: 'button', hidden: true, onclick: () => host.send({ type: 'cancel' }) }, 'Cancel');
    const other = h('button', { type: 'button', onclick: () => host.send({ type: 'switch' }) }, switchLabel);
    const actions = h('div', { class: 'actions' }, this.start, this.cancel, other);
    const heading = h('header', {}, h('div', { class: 'heading' }, this.title, this.place), actions);
    document.body.append(heading, this.controls, this.progress, this.failure, this.spoken, this.result);
    this.controls.addEventListener('keydown', event => {
      if (event.key === 'Enter' && event.target instanceof HTMLInputElement) onStart();
    });
    window.addEventListener('keydown', event => {
      if (event.key === 'Escape' && !this.cancel.hidden) host.send({ type: 'cancel' });
    });
  }

  /** Shows everything of a message but its result. */
  receive(message: ToPage<T>): void {
    switch (message.type) {
      case 'started':
        this.show(message.subject);
        this.busy(true);
        this.say('');
        break;
      case 'progress':
        if (message.fraction === null) this.bar.removeAttribute('value');
        else this.bar.value = message.fraction;
        this.message.textContent = message.message;
        break;
      case 'failed':
        this.busy(false);
        this.failure.textContent = message.message;
        this.failure.hidden = false;
        break;
      case 'cancelled':
        this.busy(false);
        this.say('Cancelled.');
        break;
      case 'result':
        this.busy(false);
    }
  }

  say(text: string): void {
    this.spoken.textContent = text;
  }

  private show(subject: Subject): void {
    this.subject = subject;
    this.title.textContent = subject.target.name;
    this.place.textContent = subject.place;
    this.place.setAttribute('aria-label', `Go to ${subject.place}`);
  }

  private busy(busy: boolean): void {
    this.failure.hidden = true;
    this.progress.hidden = !busy;
    this.cancel.hidden = !busy;
    this.start.disabled = busy;
    this.bar.removeAttribute('value');
    this.message.textContent = '';
    // The last result stays readable, but is not taken for the new one.
    this.result.classList.toggle('stale', busy);
  }

  private reveal(event: Event): void {
    event.preventDefault();
    if (this.subject) this.host.send({ type: 'reveal', uri: this.subject.uri, range: this.subject.target.range });
  }
}

/** What a reader should know about a result. */
export function notes(lines: readonly string[]): HTMLElement | null {
  if (lines.length <= 1) return lines.length === 0 ? null : h('p', { class: 'notice' }, lines[0]);
  return h('ul', { class: 'notice' }, ...lines.map(line => h('li', {}, line)));
}
