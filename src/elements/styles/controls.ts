import { css } from 'lit';

/** The bar: three groups in a wide box, one centred row in a narrow one. */
export const controls = css`
  :host {
    display: block;
    container-type: inline-size;
  }
  .bar {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto minmax(max-content, 1fr);
    align-items: center;
    gap: 12px;
  }
  .mid,
  .end {
    display: flex;
    gap: 12px;
  }
  .mid {
    grid-column: 2;
  }
  .end {
    justify-content: end;
  }
  @container (width < 690px) {
    .bar {
      display: flex;
      justify-content: center;
    }
    slot[name='start'] {
      display: none;
    }
  }
`;
