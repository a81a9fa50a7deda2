// Asks the same question again and again for as long as its screen is shown and somebody looks.

const EVERY_MILLISECONDS = 2000;

/**
 * Begin to ask. `question()` gives a promise of an answer and may be another one each time; `shown(answer)` and
 * `failed(error)` say what came of it. `again()` asks at once and drops an answer that is under way.
 */
export function asking(question, { shown, failed }) {
  let current = new AbortController();
  let timer = null;
  const stopped = new AbortController();

  async function ask() {
    clearTimeout(timer);
    const mine = (current = new AbortController());
    try {
      const answer = await question(mine.signal);
      if (!mine.signal.aborted) shown(answer);
    } catch (error) {
      if (!mine.signal.aborted) failed(error);
    }
    if (!mine.signal.aborted) timer = setTimeout(next, EVERY_MILLISECONDS);
  }

  function next() {
    if (!document.hidden) ask();
  }

  function again() {
    current.abort();
    ask();
  }

  document.addEventListener("visibilitychange", () => document.hidden || again(), { signal: stopped.signal });
  ask();
  return {
    again,
    stop() {
      stopped.abort();
      current.abort();
      clearTimeout(timer);
    },
  };
}
