export const Footer = () => (
  <footer className="footer">
    <p>
      Every line here is drawn from the trace of real processes. The lab that runs them and serves
      this page is no part of Docker.
    </p>
    <p>Docker is a trademark of Docker, Inc.; this project is not affiliated.</p>
  </footer>
);
