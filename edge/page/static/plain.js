// As an EventSource, but never as text: Home Assistant's ingress packs text, and so holds it back.
export class Plain {
  #left = new AbortController();

  constructor(path) {
    this.#read(`${path}&plain=1`);
  }

  close() {
    this.#left.abort();
  }

  async #read(path) {
    let kept = "";
    const more = await this.#opened(path);
    for (let part = await more(); part !== undefined; part = await more()) {
      const lines = (kept + part).split("\n");
      kept = lines.pop();
      for (const line of lines) if (line.startsWith("data: ")) queueMicrotask(() => this.#told(line.slice(6)));
    }
    if (!this.#left.signal.aborted) this.onerror();
  }

  #told(data) {
    if (!this.#left.signal.aborted) this.onmessage({ data });
  }

  // Gives what comes next; undefined at the end, however that came.
  async #opened(path) {
    const none = async () => undefined;
    const answer = await fetch(path, { cache: "no-store", signal: this.#left.signal }).catch(none);
    const reader = answer?.ok && answer.body.pipeThrough(new TextDecoderStream()).getReader();
    return reader ? () => reader.read().then(({ value }) => value, none) : none;
  }
}
