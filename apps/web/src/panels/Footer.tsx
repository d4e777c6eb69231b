import { t } from '../messages/catalogue.ts';

export const Footer = () => (
  <footer className="footer">
    <p>{t().footer.honest}</p>
    <p>{t().footer.trademark}</p>
  </footer>
);
